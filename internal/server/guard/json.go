package guard

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// textLimit bounds a text of a request as it is written: no field takes more than 64 KiB, and a byte may be escaped as
// six.
const textLimit = 6 * 64 << 10

// CheckJSON checks the bytes of a request before they are read as JSON: how deep lists and objects nest, how many
// values there are, and how long a text is. It takes a tenth of the time of reading.
func (g *Guard) CheckJSON(text []byte) (code errs.Code, message string) {
	longest := max(textLimit, 6*g.limits.Document)
	depth, values, quoted, begin := 0, 1, false, 0
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted:
			switch b {
			case '\\':
				i++
			case '"':
				quoted = false
			}
			if i-begin > longest {
				return errs.TooLarge, fmt.Sprintf("the request holds a text of more than %d bytes, which is the limit", longest)
			}
		case b == '"':
			quoted, begin = true, i
		case b == '[' || b == '{':
			values++
			if depth++; depth > g.limits.Nesting+4 { // request, variables or extensions, and their content
				return errs.TooDeep, fmt.Sprintf("the request nests lists and objects deeper than %d, which is the limit", g.limits.Nesting)
			}
		case b == ']' || b == '}':
			depth--
		case b == ',':
			values++
		}
		if values > g.limits.Values {
			return errs.TooLarge, fmt.Sprintf("the request holds more than %d values, which is the limit", g.limits.Values)
		}
	}
	return "", ""
}

// checkVariables holds decoded variables to the limits.
func (g *Guard) checkVariables(given map[string]any) *gqlerror.Error {
	left := g.limits.Values
	for name, value := range given {
		if refused := g.checkValue(name, value, 0, &left); refused != nil {
			return refused
		}
	}
	return nil
}

func (g *Guard) checkValue(name string, value any, depth int, left *int) *gqlerror.Error {
	if *left--; *left < 0 {
		return Refuse(errs.TooLarge, nil, "the variables hold more than %d values, which is the limit", g.limits.Values)
	}
	if depth > g.limits.Nesting {
		return Refuse(errs.TooDeep, nil, "the variable $%.64s nests lists and objects deeper than %d, which is the limit", name, g.limits.Nesting)
	}
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			if refused := g.checkValue(name, e, depth+1, left); refused != nil {
				return refused
			}
		}
	case map[string]any:
		for _, e := range v {
			if refused := g.checkValue(name, e, depth+1, left); refused != nil {
				return refused
			}
		}
	}
	return nil
}
