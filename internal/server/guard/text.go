package guard

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// exact is the first whole number that a float64 does not tell from the next.
const exact = 1 << 53

// whole returns a number without a fraction as such: GraphQL's Int is 2, and JavaScript may write 2.0 or 2e0. It
// returns anything else as it is.
func whole(v any) any {
	n, ok := v.(json.Number)
	if !ok || !strings.ContainsAny(string(n), ".eE") {
		return v
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= exact {
		return v
	}
	return json.Number(strconv.FormatInt(int64(f), 10))
}

// unescape writes the surrogate pairs among the escapes of a document's texts as the characters that they stand for,
// which the parser does not, and refuses halves of them. Escapes in block strings and comments stand for themselves.
func unescape(query string) (string, *gqlerror.Error) {
	if !strings.Contains(query, `\uD`) && !strings.Contains(query, `\ud`) {
		return query, nil
	}
	var out strings.Builder
	for i := 0; i < len(query); {
		switch rest := query[i:]; {
		case rest[0] == '#':
			i += copied(&out, rest, strings.IndexAny(rest, "\n\r"))
		case strings.HasPrefix(rest, `"""`):
			i += copied(&out, rest, blockEnd(rest))
		case rest[0] == '"':
			n, ok := quoted(&out, rest)
			if !ok {
				return "", Refuse(errs.BadUserInput, nil, "a text of the document holds half of a surrogate pair, which is no character: write both halves, such as \\ud83d\\ude00")
			}
			i += n
		default:
			out.WriteByte(rest[0])
			i++
		}
	}
	return out.String(), nil
}

// copied writes the first n bytes of a text, or all of it if n is negative, and returns how many it wrote.
func copied(out *strings.Builder, text string, n int) int {
	if n < 0 {
		n = len(text)
	}
	out.WriteString(text[:n])
	return n
}

// blockEnd returns the length of the block string that a text begins with. If it does not end, it returns -1.
func blockEnd(text string) int {
	const mark = `"""`
	for i := len(mark); i < len(text); {
		end := strings.Index(text[i:], mark)
		if end < 0 {
			return -1
		}
		i += end + len(mark)
		if text[i-len(mark)-1] != '\\' {
			return i
		}
	}
	return -1
}

// quoted writes the text in quotes that another begins with, its surrogate pairs as characters. It returns the length
// of what it has read, and whether all characters are whole.
func quoted(out *strings.Builder, text string) (n int, ok bool) {
	out.WriteByte('"')
	for i := 1; i < len(text); {
		switch b := text[i]; b {
		case '\\':
			size, isWhole := escape([]byte(text[i:min(len(text), i+12)]))
			if !isWhole {
				return 0, false
			}
			if size == 12 {
				high, _ := strconv.ParseUint(text[i+2:i+6], 16, 32)
				low, _ := strconv.ParseUint(text[i+8:i+12], 16, 32)
				out.WriteRune(utf16.DecodeRune(rune(high), rune(low)))
			} else {
				out.WriteString(text[i:min(len(text), i+size)])
			}
			i += size
		case '"':
			out.WriteByte(b)
			return i + 1, true
		case '\n', '\r': // the parser says what is wrong
			return i, true
		default:
			out.WriteByte(b)
			i++
		}
	}
	return len(text), true
}
