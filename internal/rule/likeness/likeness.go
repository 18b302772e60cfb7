// Package likeness says how like a name is to the words that somebody searches for. It knows the two texts alone: what
// else there is moves no score. It refuses to guess at words of fewer than five letters.
package likeness

import (
	"slices"
	"strings"
	"unicode"
)

// Words cuts a text at everything that is no letter or digit, as the databases' indexes do, and lowers its case.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// The points of a score, which is from 1 up to 100. A name that is the words has all of them.
const (
	least      = 1.0
	forWhole   = 30.0 // the name is the words
	forStart   = 20.0 // it begins with them
	forAllOf   = 49.0 // each word has its share, times how well it is met
	asWord     = 1.0
	asStart    = 0.85
	asMistyped = 0.6
	asPart     = 0.5
	asUnending = 0.45 // the beginning of a word, mistyped
)

// Score returns how well a name matches words, the last of which may be unfinished.
func Score(words []string, name string) float64 {
	of, score := Words(name), least
	if len(words) == 0 {
		return score
	}
	whole, wanted := strings.Join(of, " "), strings.Join(words, " ")
	if whole == wanted {
		score += forWhole
	}
	if strings.HasPrefix(whole, wanted) {
		score += forStart
	}
	for i, word := range words {
		best := 0.0
		for _, w := range of {
			best = max(best, met(word, w, i == len(words)-1))
		}
		score += forAllOf / float64(len(words)) * best
	}
	return score
}

// Means reports whether each of the words, as it stands or mistyped, is met by a name.
func Means(words []string, name string) bool {
	of := Words(name)
	for i, word := range words {
		if !slices.ContainsFunc(of, func(w string) bool { return met(word, w, i == len(words)-1) > 0 }) {
			return false
		}
	}
	return true
}

// met returns how well a word of a name meets one that is searched for, from 0 up to 1.
func met(word, of string, isLast bool) float64 {
	switch {
	case word == of:
		return asWord
	case strings.HasPrefix(of, word):
		return asStart
	}
	errors := Forgiven(word)
	if errors == 0 {
		return part(word, of)
	}
	whole, start := distance([]rune(word), []rune(of))
	switch {
	case whole <= errors:
		return asMistyped
	case strings.Contains(of, word):
		return asPart
	case isLast && start <= errors:
		return asUnending
	}
	return 0
}

// part returns what a word is worth that stands inside of another: of one or two letters it says nothing.
func part(word, of string) float64 {
	if len([]rune(word)) > 2 && strings.Contains(of, word) {
		return asPart
	}
	return 0
}

// Forgiven returns how many typing errors a word may have: a letter too many, too few or wrong, or two that have
// changed places.
func Forgiven(word string) int {
	switch n := len([]rune(word)); {
	case n < 5:
		return 0
	case n < 9:
		return 1
	}
	return 2
}

// Traces returns parts of a word of which a name that it means, mistyped, holds one at least, but for rare pairs of
// errors. A word in which no error is forgiven is its own trace. Each has three letters at least if the word has five.
func Traces(word string) []string {
	w := []rune(word)
	errors := Forgiven(word)
	if errors == 0 {
		return []string{word}
	}
	var all []string
	if len(w) == 5 { // halves would be too short for an index of three letters
		all = append(all, word, string(w[:3]), string(w[2:]), turned(w, 1), turned(w, 2))
		return unique(all)
	}
	from := 0
	for i := range errors + 1 {
		to := (i + 1) * len(w) / (errors + 1)
		if all = append(all, string(w[from:to])); to < len(w) {
			all = append(all, turned(w, to-1)) // letters that changed places at the cut
		}
		from = to
	}
	return unique(all)
}

// turned returns a word in which a letter and the next change places.
func turned(w []rune, at int) string {
	w = slices.Clone(w)
	w[at], w[at+1] = w[at+1], w[at]
	return string(w)
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// distance returns how many typing errors lead from one word to another, and to the nearest beginning of the other: the
// optimal string alignment distance.
func distance(a, b []rune) (whole, start int) {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+wrong)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)], slices.Min(above)
}
