package cache

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool/embedded"
)

// TestStrippedTextsMeanTheSame asks PostgreSQL, with either way of reading
// strings.
func TestStrippedTextsMeanTheSame(t *testing.T) {
	skipUnderRace(t)
	pg, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close()
	conn, err := pgconn.Connect(t.Context(), pg.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	run := func(sql string) string {
		results, err := conn.Exec(t.Context(), sql).ReadAll()
		if wrong := (*pgconn.PgError)(nil); errors.As(err, &wrong) {
			return wrong.Code
		} else if err != nil {
			t.Fatalf("%q: %v", sql, err)
		}
		var b strings.Builder
		for _, r := range results {
			fmt.Fprintf(&b, "%s %q\n", r.CommandTag, r.Rows)
		}
		return b.String()
	}

	rng := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"'a'", "'b'", `'\'`, `e'\''`, `E'\\'`, "$$--$$", "$a$/*$a$", "$1", "a", "1", ".5", "1e1", "+", "-", "*", "/", "--c\n", "-- '\n",
		"/*c*/", "/* ' */", "/*/**/*/", "\n", " ", "\t", ",", "||", `"--"`, "n'x'", `U&'\0061'`, "'it''s'", "--", "/*", "''"}
	for _, setting := range []string{"on", "off"} {
		run("SET standard_conforming_strings = " + setting + "; SET backslash_quote = on; SET escape_string_warning = off")
		good, stripped := 0, 0
		for range 6000 {
			text := "select 1 " + pieces[rng.IntN(4)]
			if rng.IntN(2) == 0 {
				text = "select " + pieces[rng.IntN(len(pieces))]
			}
			for range rng.IntN(6) {
				text += pieces[rng.IntN(len(pieces))]
			}
			out, ok := StripComments(nil, []byte(text), setting == "on")
			if !ok {
				continue
			}
			stripped++
			want, got := run(text), run(string(out))
			if want != got {
				t.Fatalf("%q gives %q, but %q gives %q", text, want, out, got)
			}
			if strings.HasPrefix(want, "SELECT") {
				good++
			}
		}
		t.Logf("standard_conforming_strings %s: %d texts without their comments, %d without an error", setting, stripped, good)
		if stripped < 1000 || good < 200 {
			t.Error("that is too few")
		}
	}
}
