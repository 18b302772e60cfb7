package graph

//go:generate go run -C .. ./internal/generate/graphql
