# Short names for what CONTRIBUTING.md explains. The steps of the gate are in .ci/run.
SHELL := bash
PROGRAM := github.com/linchpin-cmdb/linchpin

.PHONY: build demo test short generate style race clients journey gate build-time

build:
	go build -trimpath -ldflags='-s -w' ./cmd/linchpin

demo:
	go run ./cmd/linchpin serve --demo

test:
	go test ./...

short:
	go test -short ./...

generate:
	go generate ./...

style race clients journey:
	.ci/run $@

gate:
	.ci/run

# What a clean build of our own packages takes; those of others are built before and come from the cache.
build-time:
	go build -o /dev/null ./cmd/linchpin
	time go build -o /dev/null -gcflags=$(PROGRAM)/...=-D=$$(date +%s) ./cmd/linchpin
