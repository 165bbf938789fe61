package sqlparse

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// detail returns the Detail of a statement.
func (w *words) detail(n *pg_query.Node) Detail {
	switch v := n.GetNode().(type) {
	case *pg_query.Node_TransactionStmt:
		return w.transaction(v.TransactionStmt)
	case *pg_query.Node_VariableSetStmt:
		return newSetting(v.VariableSetStmt)
	case *pg_query.Node_PrepareStmt:
		return &Prepare{Name: v.PrepareStmt.Name, At: w.second, Types: w.types, Body: w.body}
	case *pg_query.Node_ExecuteStmt:
		return &Execute{Name: v.ExecuteStmt.Name, At: w.executes}
	case *pg_query.Node_CreateTableAsStmt:
		if e := v.CreateTableAsStmt.Query.GetExecuteStmt(); e != nil {
			return &Execute{Name: e.Name, At: w.executes, Creates: true}
		}
	case *pg_query.Node_DeallocateStmt:
		return &Deallocate{Name: v.DeallocateStmt.Name, At: w.last}
	case *pg_query.Node_ListenStmt:
		return &Channel{Kind: ChannelListen, Name: v.ListenStmt.Conditionname, At: w.second}
	case *pg_query.Node_UnlistenStmt:
		if v.UnlistenStmt.Conditionname == "" {
			return &Channel{Kind: ChannelUnlistenAll, At: w.second}
		}
		return &Channel{Kind: ChannelUnlisten, Name: v.UnlistenStmt.Conditionname, At: w.second}
	case *pg_query.Node_NotifyStmt:
		return &Channel{Kind: ChannelNotify, Name: v.NotifyStmt.Conditionname, At: w.second, Payload: v.NotifyStmt.Payload}
	case *pg_query.Node_DiscardStmt:
		return &Discard{Kind: discards[v.DiscardStmt.Target]}
	}
	return w.cursor(n)
}

var discards = map[pg_query.DiscardMode]DiscardKind{
	pg_query.DiscardMode_DISCARD_ALL:       DiscardingAll,
	pg_query.DiscardMode_DISCARD_PLANS:     DiscardingPlans,
	pg_query.DiscardMode_DISCARD_SEQUENCES: DiscardingSequences,
	pg_query.DiscardMode_DISCARD_TEMP:      DiscardingTemporary,
}

// cursorHold is PostgreSQL's CURSOR_OPT_HOLD.
const cursorHold = 0x20

// cursor returns the Detail of a statement about a cursor, nil for any other.
func (w *words) cursor(n *pg_query.Node) Detail {
	switch v := n.GetNode().(type) {
	case *pg_query.Node_DeclareCursorStmt:
		d := v.DeclareCursorStmt
		return &Cursor{Kind: CursorDeclare, Name: d.Portalname, At: w.second, Hold: d.Options&cursorHold != 0}
	case *pg_query.Node_FetchStmt:
		kind := CursorFetch
		if v.FetchStmt.Ismove {
			kind = CursorMove
		}
		return &Cursor{Kind: kind, Name: v.FetchStmt.Portalname, At: w.last}
	case *pg_query.Node_ClosePortalStmt:
		kind := CursorClose
		if v.ClosePortalStmt.Portalname == "" {
			kind = CursorCloseAll
		}
		return &Cursor{Kind: kind, Name: v.ClosePortalStmt.Portalname, At: w.last}
	}
	return nil
}

var transactionKinds = map[pg_query.TransactionStmtKind]TransactionKind{
	pg_query.TransactionStmtKind_TRANS_STMT_BEGIN:             TransactionBegin,
	pg_query.TransactionStmtKind_TRANS_STMT_START:             TransactionBegin,
	pg_query.TransactionStmtKind_TRANS_STMT_COMMIT:            TransactionCommit,
	pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK:          TransactionRollback,
	pg_query.TransactionStmtKind_TRANS_STMT_SAVEPOINT:         TransactionSavepoint,
	pg_query.TransactionStmtKind_TRANS_STMT_RELEASE:           TransactionRelease,
	pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:       TransactionRollbackTo,
	pg_query.TransactionStmtKind_TRANS_STMT_PREPARE:           TransactionPrepare,
	pg_query.TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED:   TransactionCommitPrepared,
	pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED: TransactionRollbackPrepared,
}

func (w *words) transaction(s *pg_query.TransactionStmt) *Transaction {
	t := &Transaction{Kind: transactionKinds[s.Kind], Name: s.Gid, Modes: newModes(s.Options), Chain: s.Chain}
	switch t.Kind {
	case TransactionSavepoint, TransactionRelease, TransactionRollbackTo:
		t.Name, t.At = s.SavepointName, w.last
	}
	return t
}

// newModes reads a list of transaction modes. Of two that contradict each other
// PostgreSQL takes the last.
func newModes(options []*pg_query.Node) (m Modes) {
	for _, o := range options {
		d := o.GetDefElem()
		if d == nil {
			continue
		}
		switch d.Defname {
		case "transaction_isolation":
			m.Isolation = strings.ToLower(constant(d.Arg))
		case "transaction_read_only":
			m.ReadOnly = choice(d.Arg)
		case "transaction_deferrable":
			m.Deferrable = choice(d.Arg)
		}
	}
	return m
}

func choice(arg *pg_query.Node) Choice {
	if isOn(arg) {
		return Yes
	}
	return No
}

var settingKinds = map[pg_query.VariableSetKind]SettingKind{
	pg_query.VariableSetKind_VAR_SET_VALUE:   SettingValue,
	pg_query.VariableSetKind_VAR_SET_DEFAULT: SettingDefault,
	pg_query.VariableSetKind_VAR_SET_CURRENT: SettingCurrent,
	pg_query.VariableSetKind_VAR_RESET:       SettingReset,
	pg_query.VariableSetKind_VAR_RESET_ALL:   SettingResetAll,
}

func newSetting(s *pg_query.VariableSetStmt) *Setting {
	if s.Kind == pg_query.VariableSetKind_VAR_SET_MULTI {
		return newCharacteristics(s)
	}
	v := &Setting{Kind: settingKinds[s.Kind], Name: s.Name, Local: s.IsLocal}
	for _, arg := range s.Args {
		if c := arg.GetAConst(); c == nil || c.Isnull {
			v.Inexact = true
			continue
		}
		v.Values = append(v.Values, constant(arg))
	}
	return v
}

// newCharacteristics reads SET TRANSACTION and SET SESSION CHARACTERISTICS.
func newCharacteristics(s *pg_query.VariableSetStmt) *Setting {
	v := &Setting{Kind: SettingTransaction, Local: s.IsLocal, Modes: newModes(s.Args)}
	switch s.Name {
	case "SESSION CHARACTERISTICS":
		v.Kind = SettingCharacteristics
	case "TRANSACTION SNAPSHOT":
		if len(s.Args) == 1 {
			v.Modes.Snapshot = constant(s.Args[0])
		}
	}
	return v
}
