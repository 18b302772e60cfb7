package form

import (
	"fmt"
	"strings"
)

// List reads "a, b and c", with the word that stands before the last.
func List(words []string, before string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + before + " " + words[len(words)-1]
}

// Choice reads "a, b or c", of at most ten.
func Choice(words []string) string {
	const most = 10
	if len(words) > most {
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" or one of %d more", len(words)-most)
	}
	return List(words, "or")
}

// Plural reads "1 approval" or "2 approvals".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
