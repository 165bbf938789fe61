package proxy

import (
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// In a failed transaction nothing can be prepared. A text that ends the failure and
// then names prepared statements must find them all the same. So what ends the failure
// is done ahead of it, then the statements are prepared, and then the transaction is
// made a failed one again. It makes no difference to do it twice: what is rolled back is
// the same, and ROLLBACK AND CHAIN begins another transaction with the same options.

// revival returns what ends the failure of the transaction as the first of several
// statements in a text does; empty: it does not.
func (s *session) revival(class sqlparse.Class, text []byte) string {
	if s.back.status != wire.StatusError || class.Statements < 2 {
		return ""
	}
	st := s.texts.memo.Get(text)
	if !st.Cheap() || st.Facts().Opaque {
		return ""
	}
	tx, _ := st.Facts().Parts[0].Detail.(*sqlparse.Transaction)
	switch {
	case tx == nil:
		return ""
	case tx.Kind == sqlparse.TransactionRollbackTo:
		return `ROLLBACK TO SAVEPOINT "` + strings.ReplaceAll(tx.Name, `"`, `""`) + `"`
	case tx.Kind == sqlparse.TransactionRollback, tx.Kind == sqlparse.TransactionCommit, tx.Kind == sqlparse.TransactionPrepare:
		return "ROLLBACK AND CHAIN"
	}
	return ""
}

// revive ends the failure of the transaction.
func (s *session) revive(revival string) {
	s.back.revived = true
	s.runOurs(revival)
	s.syncOurs("")
}

// failAgain makes a transaction that was revived a failed one.
func (s *session) failAgain() {
	if s.back.revived {
		s.back.revived = false
		s.runOurs(failing)
		s.syncOurs("")
	}
}

// refusesAll reports whether an error says that the failure has not ended: there is no
// such savepoint. Then nothing was prepared.
func refusesAll(body []byte) bool { return string(wire.ErrorCode(body)) == "25P02" }
