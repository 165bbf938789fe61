package proxy

import "github.com/pgjay/pgjay/rewrite/sqlparse"

// texts remembers the texts of a loop's Queries, and of statements that are
// prepared again and again. It is owned by the loop.
type texts struct {
	memo   *sqlparse.Memo
	misses int // how many more texts were not known than were
	skip   int // how many texts are not looked up
}

// To look up a text that is not known takes half as long as to read a short one.
// So where most are new, as they have literals that never come again, only some are
// looked up: until there are maxMisses, and then none of the next skipTexts.
const (
	maxMisses = 8
	skipTexts = 256
)

// textBytes bounds a loop's memory of texts. Short ones that are not in the
// processor's cache are read sooner than found.
const textBytes = 2 << 20

func newTexts() texts { return texts{memo: sqlparse.NewMemo(textBytes)} }

// class is sqlparse.Classify, which is not asked about a text that is known.
func (t *texts) class(text []byte) sqlparse.Class {
	if t.skip > 0 {
		t.skip--
		return sqlparse.Classify(text)
	}
	class, known := t.memo.Class(text)
	switch {
	case known:
		t.misses = max(t.misses-1, 0)
	case t.misses < maxMisses-1:
		t.misses++
	default:
		t.misses, t.skip = 0, skipTexts
	}
	return class
}
