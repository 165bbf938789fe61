package configs

import (
	"slices"
	"strings"
)

// distance is the edit distance of a and b: how many characters to insert,
// delete, replace or swap with their neighbour.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := []int(nil), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row[0] = i + 1
		for j := range t {
			change := last[j]
			if s[i] != t[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, make([]int, len(t)+1)
	}
	return last[len(t)]
}

// closest is the one of names that word was probably meant to be, or "".
func closest(word string, names []string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "_")
	best, at := max(1, min(len(word)/3, 3))+1, ""
	for _, name := range names {
		if len(word) >= 4 && (strings.HasPrefix(name, word) || strings.HasPrefix(word, name)) {
			return name
		}
		if d := distance(word, name); d < best {
			best, at = d, name
		}
	}
	return at
}

// unknownKey is the fix for a key that does not exist in the section at path,
// where siblings do.
func unknownKey(path, key string, siblings []string) string {
	if len(key) > 100 {
		return "the keys here are " + strings.Join(siblings, ", ")
	}
	if near := closest(key, siblings); near != "" {
		return `did you mean "` + near + `"?`
	}
	var elsewhere []string
	for _, k := range Keys() {
		if k[strings.LastIndexByte(k, '.')+1:] == key && !strings.Contains(k, "[]") {
			elsewhere = append(elsewhere, k)
		}
	}
	if len(elsewhere) > 0 {
		return "did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	where := "here"
	if path == "" {
		where = "at the top"
	}
	return "the keys " + where + " are " + strings.Join(slices.Sorted(slices.Values(siblings)), ", ")
}
