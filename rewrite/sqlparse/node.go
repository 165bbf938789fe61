package sqlparse

import (
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// commandOf returns the command of a statement, as Classify names it.
func commandOf(n *pg_query.Node) Command {
	switch v := n.GetNode().(type) {
	case *pg_query.Node_SelectStmt:
		return commandOfSelect(v.SelectStmt)
	case *pg_query.Node_InsertStmt:
		return CommandInsert
	case *pg_query.Node_UpdateStmt:
		return CommandUpdate
	case *pg_query.Node_DeleteStmt:
		return CommandDelete
	case *pg_query.Node_MergeStmt:
		return CommandMerge
	case *pg_query.Node_CopyStmt:
		return CommandCopy
	case *pg_query.Node_TransactionStmt:
		return commandOfTransaction(v.TransactionStmt.Kind)
	case *pg_query.Node_VariableSetStmt:
		if k := v.VariableSetStmt.Kind; k == pg_query.VariableSetKind_VAR_RESET || k == pg_query.VariableSetKind_VAR_RESET_ALL {
			return CommandReset
		}
		return CommandSet
	case *pg_query.Node_ExplainStmt:
		return CommandExplain
	}
	return commandOfUtility(n)
}

// commandOfSelect tells a query that begins with VALUES.
func commandOfSelect(s *pg_query.SelectStmt) Command {
	for s.Larg != nil {
		s = s.Larg
	}
	if len(s.ValuesLists) > 0 {
		return CommandValues
	}
	return CommandSelect
}

func commandOfTransaction(kind pg_query.TransactionStmtKind) Command {
	switch transactionKinds[kind] {
	case TransactionBegin:
		return CommandBegin
	case TransactionCommit:
		return CommandCommit
	case TransactionRollback:
		return CommandRollback
	case TransactionSavepoint, TransactionRelease, TransactionRollbackTo:
		return CommandSavepoint
	}
	return CommandTwoPhase
}

// commandOfUtility returns the command of a statement that has no plan.
func commandOfUtility(n *pg_query.Node) Command {
	switch n.GetNode().(type) {
	case *pg_query.Node_VariableShowStmt:
		return CommandShow
	case *pg_query.Node_ConstraintsSetStmt:
		return CommandSet
	case *pg_query.Node_DiscardStmt:
		return CommandDiscard
	case *pg_query.Node_PrepareStmt:
		return CommandPrepare
	case *pg_query.Node_ExecuteStmt:
		return CommandExecute
	case *pg_query.Node_DeallocateStmt:
		return CommandDeallocate
	case *pg_query.Node_ListenStmt:
		return CommandListen
	case *pg_query.Node_UnlistenStmt:
		return CommandUnlisten
	case *pg_query.Node_NotifyStmt:
		return CommandNotify
	case *pg_query.Node_DeclareCursorStmt:
		return CommandDeclare
	case *pg_query.Node_FetchStmt:
		return CommandFetch
	case *pg_query.Node_ClosePortalStmt:
		return CommandClose
	case *pg_query.Node_LoadStmt:
		return CommandLoad
	case *pg_query.Node_DoStmt:
		return CommandDo
	case *pg_query.Node_CallStmt:
		return CommandCall
	case *pg_query.Node_VacuumStmt, *pg_query.Node_ClusterStmt, *pg_query.Node_ReindexStmt, *pg_query.Node_LockStmt,
		*pg_query.Node_CheckPointStmt:
		return CommandUtility
	}
	return CommandDDL
}

// constant returns a constant, or a word that stands for one, as text; "" if
// the node is neither.
func constant(n *pg_query.Node) string {
	switch v := n.GetNode().(type) {
	case *pg_query.Node_AConst:
		return literal(v.AConst)
	case *pg_query.Node_String_:
		return v.String_.Sval
	case *pg_query.Node_Integer:
		return strconv.Itoa(int(v.Integer.Ival))
	case *pg_query.Node_Float:
		return v.Float.Fval
	case *pg_query.Node_Boolean:
		return strconv.FormatBool(v.Boolean.Boolval)
	}
	return ""
}

func literal(c *pg_query.A_Const) string {
	switch v := c.Val.(type) {
	case *pg_query.A_Const_Ival:
		return strconv.Itoa(int(v.Ival.Ival))
	case *pg_query.A_Const_Fval:
		return v.Fval.Fval
	case *pg_query.A_Const_Boolval:
		return strconv.FormatBool(v.Boolval.Boolval)
	case *pg_query.A_Const_Sval:
		return v.Sval.Sval
	case *pg_query.A_Const_Bsval:
		return v.Bsval.Bsval
	}
	return ""
}
