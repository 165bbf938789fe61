package sqlparse

import (
	"encoding/binary"
	"strings"
)

// otherUnreserved are the unreserved keywords of PostgreSQL 15 to 18 that have
// no constant of their own. A test compares the lists with pg_get_keywords().
const otherUnreserved = "" +
	"absent absolute action add admin after also always asensitive assertion assignment at atomic attach " +
	"attribute backward before binary breadth cache called cascade cascaded catalog chain class columns " +
	"comments committed compression concurrently conditional configuration connection content continue " +
	"cost csv current current_schema cursor cycle day defaults deferred definer delimiter delimiters " +
	"depends depth detach dictionary disable document double each empty enable encoding encrypted " +
	"enforced enum error escape excluding exclusive expression external family filter finalize following " +
	"force format forward freeze functions generated granted groups handler header hour identity if " +
	"immediate immutable implicit include including increment indent indexes inherit inherits inline " +
	"input insensitive instead invoker is isnull isolation keep keys label large last leakproof level " +
	"like location locked logged mapping match matched maxvalue method minute minvalue mode month name " +
	"nested new nfc nfd nfkc nfkd no normalized nothing notnull nowait object objects off oids old omit " +
	"option options ordinality others overlaps overriding owned owner parallel parameter parser partial " +
	"passing password path period plan plans preceding preserve prior privileges procedures program quote " +
	"quotes range read recheck ref referencing relative rename repeatable replica restart restrict " +
	"returns routines rows scalar schemas scroll search second sequences serializable share similar " +
	"simple skip snapshot source sql stable standalone statement storage stored strict " +
	"string strip support sysid system tables target template ties types uescape unbounded uncommitted " +
	"unconditional unencrypted unknown until valid validate validator value version views " +
	"virtual volatile whitespace within without work wrapper write year yes "

// otherReserved are the reserved ones.
const otherReserved = "" +
	"any array asc asymmetric between bigint boolean both check coalesce " +
	"collate column current_catalog current_date current_role current_time current_timestamp current_user " +
	"dec decimal deferrable desc else extract false float greatest having in initially " +
	"inout int integer interval json json_array json_arrayagg json_exists json_object " +
	"json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least " +
	"limit localtime localtimestamp merge_action national none normalize null nullif numeric offset " +
	"out overlay placing position precision real returning row session_user setof smallint some substring " +
	"symmetric system_user timestamp trailing treat trim varchar variadic when where window " +
	"xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot " +
	"xmlserialize xmltable "

// namedKeywords are those that the classifier looks at.
var namedKeywords = [tokenCount]string{
	kwAbort:           "abort",
	kwAccess:          "access",
	kwAggregate:       "aggregate",
	kwAlter:           "alter",
	kwAuthorization:   "authorization",
	kwBegin:           "begin",
	kwBy:              "by",
	kwCall:            "call",
	kwCharacteristics: "characteristics",
	kwCheckpoint:      "checkpoint",
	kwClose:           "close",
	kwCluster:         "cluster",
	kwCollation:       "collation",
	kwComment:         "comment",
	kwCommit:          "commit",
	kwConflict:        "conflict",
	kwConstraints:     "constraints",
	kwConversion:      "conversion",
	kwCopy:            "copy",
	kwCross:           "cross",
	kwCube:            "cube",
	kwData:            "data",
	kwDatabase:        "database",
	kwDeallocate:      "deallocate",
	kwDeclare:         "declare",
	kwDelete:          "delete",
	kwDiscard:         "discard",
	kwDomain:          "domain",
	kwDrop:            "drop",
	kwEvent:           "event",
	kwExclude:         "exclude",
	kwExecute:         "execute",
	kwExplain:         "explain",
	kwExtension:       "extension",
	kwFirst:           "first",
	kwFull:            "full",
	kwFunction:        "function",
	kwGlobal:          "global",
	kwHold:            "hold",
	kwIlike:           "ilike",
	kwImport:          "import",
	kwIndex:           "index",
	kwInner:           "inner",
	kwInsert:          "insert",
	kwJoin:            "join",
	kwKey:             "key",
	kwLanguage:        "language",
	kwLeft:            "left",
	kwListen:          "listen",
	kwLoad:            "load",
	kwLocal:           "local",
	kwLock:            "lock",
	kwMaterialized:    "materialized",
	kwMerge:           "merge",
	kwMove:            "move",
	kwNames:           "names",
	kwNatural:         "natural",
	kwNext:            "next",
	kwNotify:          "notify",
	kwNulls:           "nulls",
	kwOf:              "of",
	kwOperator:        "operator",
	kwOuter:           "outer",
	kwOver:            "over",
	kwPartition:       "partition",
	kwPolicy:          "policy",
	kwPrepare:         "prepare",
	kwPrepared:        "prepared",
	kwProcedural:      "procedural",
	kwProcedure:       "procedure",
	kwPublication:     "publication",
	kwReassign:        "reassign",
	kwRecursive:       "recursive",
	kwRefresh:         "refresh",
	kwReindex:         "reindex",
	kwRelease:         "release",
	kwReplace:         "replace",
	kwReset:           "reset",
	kwReturn:          "return",
	kwRevoke:          "revoke",
	kwRight:           "right",
	kwRole:            "role",
	kwRollback:        "rollback",
	kwRollup:          "rollup",
	kwRoutine:         "routine",
	kwRule:            "rule",
	kwSavepoint:       "savepoint",
	kwSchema:          "schema",
	kwSecurity:        "security",
	kwSequence:        "sequence",
	kwServer:          "server",
	kwSession:         "session",
	kwSet:             "set",
	kwSets:            "sets",
	kwShow:            "show",
	kwStart:           "start",
	kwStatistics:      "statistics",
	kwStdin:           "stdin",
	kwStdout:          "stdout",
	kwSubscription:    "subscription",
	kwTablesample:     "tablesample",
	kwTablespace:      "tablespace",
	kwTemp:            "temp",
	kwTemporary:       "temporary",
	kwText:            "text",
	kwTransaction:     "transaction",
	kwTransform:       "transform",
	kwTrigger:         "trigger",
	kwTruncate:        "truncate",
	kwTrusted:         "trusted",
	kwType:            "type",
	kwUnlisten:        "unlisten",
	kwUnlogged:        "unlogged",
	kwUpdate:          "update",
	kwVacuum:          "vacuum",
	kwVarying:         "varying",
	kwVerbose:         "verbose",
	kwView:            "view",
	kwXml:             "xml",
	kwZone:            "zone",
	kwAll:             "all",
	kwAnalyse:         "analyse",
	kwAnalyze:         "analyze",
	kwAnd:             "and",
	kwAs:              "as",
	kwBit:             "bit",
	kwCase:            "case",
	kwCast:            "cast",
	kwChar:            "char",
	kwCharacter:       "character",
	kwConstraint:      "constraint",
	kwCreate:          "create",
	kwDefault:         "default",
	kwDistinct:        "distinct",
	kwDo:              "do",
	kwEnd:             "end",
	kwExcept:          "except",
	kwExists:          "exists",
	kwFetch:           "fetch",
	kwFor:             "for",
	kwForeign:         "foreign",
	kwFrom:            "from",
	kwGrant:           "grant",
	kwGroup:           "group",
	kwGrouping:        "grouping",
	kwIntersect:       "intersect",
	kwInto:            "into",
	kwNchar:           "nchar",
	kwNot:             "not",
	kwOn:              "on",
	kwOnly:            "only",
	kwOr:              "or",
	kwOrder:           "order",
	kwPrimary:         "primary",
	kwReferences:      "references",
	kwSelect:          "select",
	kwTable:           "table",
	kwThen:            "then",
	kwTime:            "time",
	kwTo:              "to",
	kwTrue:            "true",
	kwUnion:           "union",
	kwUnique:          "unique",
	kwUser:            "user",
	kwUsing:           "using",
	kwValues:          "values",
	kwWith:            "with",
}

// keywords finds the token of a word.
var keywords = newKeywordTable()

const (
	minKeyword  = 2
	maxKeyword  = 17
	keywordBits = 11
	foldCase    = 0x2020202020202020 // maps A-Z to a-z; no two other bytes of a word become equal to a letter
)

// keywordTable is a hash table with open addressing. A word is compared as two
// integers: its first and its last eight bytes.
type keywordTable struct {
	slots   [1 << keywordBits]uint16 // index into entries, 0: empty
	entries []keyword
}

type keyword struct {
	head, tail uint64 // lower case; tail is 0 for words of up to eight bytes
	word       string
	token      token
}

func newKeywordTable() *keywordTable {
	t := &keywordTable{entries: make([]keyword, 1, 512)}
	for tok, word := range namedKeywords {
		if word != "" {
			t.add(word, token(tok))
		}
	}
	for word := range strings.FieldsSeq(otherUnreserved) {
		t.add(word, kwUnreserved)
	}
	for word := range strings.FieldsSeq(otherReserved) {
		t.add(word, kwReserved)
	}
	return t
}

func (t *keywordTable) add(word string, tok token) {
	head, tail := ends([]byte(word), 0, len(word))
	i := keywordHash(head, tail)
	for t.slots[i] != 0 {
		i = (i + 1) % uint32(len(t.slots))
	}
	t.slots[i] = uint16(len(t.entries))
	t.entries = append(t.entries, keyword{head, tail, word, tok})
}

// find returns the token of the word text[start:end], in any case.
func (t *keywordTable) find(text []byte, start, end int) token {
	n := end - start
	if n < minKeyword || n > maxKeyword {
		return tokIdent
	}
	var head, tail uint64
	if n <= 8 && start+8 <= len(text) { // as ends does, without the call
		head = (binary.LittleEndian.Uint64(text[start:]) | foldCase) << (64 - 8*n) >> (64 - 8*n)
	} else {
		head, tail = ends(text, start, end)
	}
	for i := keywordHash(head, tail); ; i = (i + 1) % uint32(len(t.slots)) {
		if t.slots[i] == 0 {
			return tokIdent
		}
		k := &t.entries[t.slots[i]]
		if k.head == head && k.tail == tail && len(k.word) == n && (n <= 16 || equalFold(text[start:end], k.word)) {
			return k.token
		}
	}
}

func keywordHash(head, tail uint64) uint32 {
	return uint32(((head ^ tail>>3) * 0x9E3779B97F4A7C15) >> (64 - keywordBits))
}

// ends returns the first and the last eight bytes of a word in lower case.
func ends(text []byte, start, end int) (head, tail uint64) {
	if end-start > 8 {
		return binary.LittleEndian.Uint64(text[start:]) | foldCase, binary.LittleEndian.Uint64(text[end-8:]) | foldCase
	}
	for i := end; i > start; i-- {
		head = head<<8 | uint64(text[i-1]|0x20)
	}
	return head, 0
}

// equalFold compares a word with one in lower case as PostgreSQL does: only
// ASCII letters have two cases.
func equalFold(word []byte, lower string) bool {
	if len(word) != len(lower) {
		return false
	}
	for i, c := range word {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
