package guard

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// CheckJSON looks at the bytes of a request before anybody reads them as JSON: how deep lists and objects nest, and
// how many values there are. It takes a few milliseconds for a megabyte, where reading takes a hundred.
func (g *Guard) CheckJSON(text []byte) (code errs.Code, message string) {
	depth, values, quoted := 0, 1, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted:
			switch b {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case b == '"':
			quoted = true
		case b == '[' || b == '{':
			values++
			if depth++; depth > g.limits.Nesting+4 { // request, variables or extensions, and what is in them
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

// checkVariables holds variables to the limits, whoever decoded them.
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
