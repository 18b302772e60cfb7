package chain

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// values invents JSON values.
func values(r *rand.Rand, depth int) any {
	texts := []string{"", "a", "name", "é", "<b>&", "\"\\\n\x01\u2028", "𝄞", "\ufb01", "a!", "zz"}
	switch r.IntN(7 + min(depth, 2)) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return float64(r.IntN(100_000))
	case 3:
		return r.NormFloat64() * []float64{1, 1e-9, 1e25, 1e300}[r.IntN(4)]
	case 4, 5, 6:
		return texts[r.IntN(len(texts))]
	case 7:
		all := make([]any, r.IntN(4))
		for i := range all {
			all[i] = values(r, depth-1)
		}
		return all
	}
	all := map[string]any{}
	for range r.IntN(6) {
		all[texts[r.IntN(len(texts))]+texts[r.IntN(len(texts))]] = values(r, depth-1)
	}
	return all
}

func TestTheCanonicalFormSaysTheSameAndIsOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same cases each time
	var c canonical
	write := func(text []byte) []byte {
		t.Helper()
		c.out = nil
		if err := c.write(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return c.out
	}
	for range 5_000 {
		value := values(r, 4)
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		wide, err := json.MarshalIndent(value, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		one := write(text)
		if two := write(wide); !bytes.Equal(one, two) {
			t.Fatalf("%s\nand %s\nof %s", one, two, text)
		}
		if again := write(one); !bytes.Equal(one, again) {
			t.Fatalf("%s becomes %s", one, again)
		}
		var back any
		if err := json.Unmarshal(one, &back); err != nil {
			t.Fatalf("%s: %v", one, err)
		}
		if said, err := json.Marshal(back); err != nil || !bytes.Equal(said, text) {
			t.Fatalf("%s says %s, %v", one, said, err)
		}
	}
}

func TestTheExamplesOfRFC8785AreWrittenAsItSays(t *testing.T) {
	var c canonical
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0,-0.0,1e21,123456789012345678],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`:        `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0,0,1e+21,123456789012345680],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`: `{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`,
	} {
		c.out = nil
		if err := c.write([]byte(in)); err != nil || string(c.out) != want {
			t.Errorf("%s\nwant %s, %v", c.out, want, err)
		}
	}
	for _, in := range []string{"", " ", "{", "[1,]", `{"a"}`, `{"a":1,}`, "01", "1 2", "tru", `"a`, `"\x"`, "\"\n\"", "1e400", "-", "[1}", "{1:2}", "nullx"} {
		c.out = nil
		if err := c.write([]byte(in)); err == nil {
			t.Errorf("%q is written as %s", in, c.out)
		}
	}
}
