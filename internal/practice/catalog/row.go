package catalog

import "github.com/linchpin-cmdb/linchpin/internal/ident"

// NewTeam is a team to create.
type NewTeam struct {
	Name        string
	Description string
	Email       string
	Parent      ident.ID // 0 for none
}

// TeamChange is a change to a team. A nil field stays.
type TeamChange struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            *string
	Description     *string
	Email           *string
	Parent          *ident.ID // 0 clears
}

// NewPerson is a person to create.
type NewPerson struct {
	Name  string
	Email string
}

// PersonChange is a change to a person. A nil field stays.
type PersonChange struct {
	ID              ident.ID
	ExpectedVersion *int
	Name            *string
	Email           *string
}

// Member is a person in a team.
type Member struct {
	Team   ident.ID
	Person ident.ID
}
