package sqlparse

// verb says what a statement is by its first word.
type verb struct {
	command Command // CommandNone: no statement begins with it
	pin     Reason
	mode    mode
	follow  bool // the words behind it decide
	frees   bool // it may take session state away
}

// verbs are PostgreSQL's commands (gram.y, stmt).
var verbs = [tokenCount]verb{
	kwSelect: {command: CommandSelect},
	kwValues: {command: CommandValues},
	kwTable:  {command: CommandSelect},
	kwWith:   {command: CommandUnknown, follow: true},
	kwInsert: {command: CommandInsert},
	kwUpdate: {command: CommandUpdate},
	kwDelete: {command: CommandDelete},
	kwMerge:  {command: CommandMerge},
	kwCopy:   {command: CommandCopy},

	kwBegin:     {command: CommandBegin, mode: modeNone},
	kwStart:     {command: CommandBegin, mode: modeNone},
	kwCommit:    {command: CommandCommit, mode: modeNone, follow: true},
	kwEnd:       {command: CommandCommit, mode: modeNone, follow: true},
	kwRollback:  {command: CommandRollback, mode: modeNone, follow: true},
	kwAbort:     {command: CommandRollback, mode: modeNone, follow: true},
	kwSavepoint: {command: CommandSavepoint, mode: modeNone},
	kwRelease:   {command: CommandSavepoint, mode: modeNone},

	kwSet:        {command: CommandSet, mode: modeNone, follow: true},
	kwReset:      {command: CommandReset, mode: modeNone, follow: true},
	kwShow:       {command: CommandShow, mode: modeNone},
	kwDiscard:    {command: CommandDiscard, pin: ReasonDiscard, mode: modeNone, follow: true, frees: true},
	kwPrepare:    {command: CommandPrepare, follow: true},
	kwExecute:    {command: CommandExecute, pin: ReasonPrepared, mode: modeNone},
	kwDeallocate: {command: CommandDeallocate, mode: modeNone, follow: true, frees: true},
	kwListen:     {command: CommandListen, pin: ReasonListen, mode: modeNone},
	kwUnlisten:   {command: CommandUnlisten, pin: ReasonListen, mode: modeNone, frees: true},
	kwNotify:     {command: CommandNotify, mode: modeNone},
	kwDeclare:    {command: CommandDeclare, follow: true},
	kwFetch:      {command: CommandFetch, mode: modeNone},
	kwMove:       {command: CommandFetch, mode: modeNone},
	kwClose:      {command: CommandClose, mode: modeNone, frees: true},
	kwLoad:       {command: CommandLoad, pin: ReasonLoad, mode: modeNone},
	kwDo:         {command: CommandDo, pin: ReasonDo, mode: modeNone},
	kwCall:       {command: CommandCall, pin: ReasonCall, mode: modeNone},

	kwCreate:   {command: CommandDDL, follow: true},
	kwAlter:    {command: CommandDDL, mode: modeSchema, follow: true},
	kwDrop:     {command: CommandDDL, mode: modeNone, frees: true},
	kwTruncate: {command: CommandDDL, mode: modeNone},
	kwGrant:    {command: CommandDDL, mode: modeNone},
	kwRevoke:   {command: CommandDDL, mode: modeNone},
	kwComment:  {command: CommandDDL, mode: modeNone},
	kwSecurity: {command: CommandDDL, mode: modeNone},
	kwReassign: {command: CommandDDL, mode: modeNone},
	kwImport:   {command: CommandDDL, mode: modeNone},
	kwRefresh:  {command: CommandDDL, mode: modeNone},

	kwVacuum:     {command: CommandUtility, mode: modeNone},
	kwAnalyze:    {command: CommandUtility, mode: modeNone},
	kwAnalyse:    {command: CommandUtility, mode: modeNone},
	kwCluster:    {command: CommandUtility, mode: modeNone},
	kwReindex:    {command: CommandUtility, mode: modeNone},
	kwLock:       {command: CommandUtility, mode: modeNone},
	kwCheckpoint: {command: CommandUtility, mode: modeNone},
	// RETURN is a statement inside BEGIN ATOMIC only.
	kwReturn: {command: CommandUtility},
}

// begin notes the first word of a statement.
func (c *classifier) begin(t token) {
	switch {
	case t == kwExplain:
		c.explain, c.command, c.mode = true, CommandUnknown, modeNone
		return
	case c.explain && isExplainOption(t, c.parens.depth):
		return
	}
	v := &verbs[t]
	c.verb, c.verbDepth = t, c.parens.depth
	c.command, c.mode, c.following = v.command, v.mode, v.follow
	c.pin(v.pin)
	c.class.Releases = c.class.Releases || v.frees
	if t == kwCall && c.declared != nil {
		c.mode = modeQuery
	}
	if t == kwWith {
		c.parens.startWith()
	}
}

// isExplainOption reports whether a word between EXPLAIN and the statement to
// be explained is an option.
func isExplainOption(t token, depth int) bool {
	if depth > 0 {
		return t != kwSelect && t != kwValues && t != kwTable && t != kwWith
	}
	return t == kwAnalyze || t == kwAnalyse || t == kwVerbose
}

// follow looks at a token behind a verb whose meaning depends on it.
func (c *classifier) follow(t token) {
	first := c.prev == c.verb
	switch c.verb {
	case kwSet, kwReset, kwDiscard:
		c.followSetting(t)
	case kwWith:
		c.followWith(t)
	case kwCreate:
		c.followCreate(t)
	case kwPrepare:
		c.followPrepare(t)
	case kwDeallocate:
		c.followDeallocate(t)
	case kwAlter:
		if first && t == kwExtension {
			c.pin(ReasonFunction) // runs a script
		}
	case kwDeclare:
		if t == kwHold && c.prev == kwWith {
			c.pin(ReasonCursor)
		}
	case kwRollback, kwAbort:
		if t == kwTo {
			c.command = CommandSavepoint
		}
		fallthrough
	case kwCommit, kwEnd:
		if first && t == kwPrepared {
			c.command = CommandTwoPhase
		}
	}
}

// followWith looks for the statement behind WITH.
func (c *classifier) followWith(t token) {
	named := c.prev == kwWith || c.prev == kwRecursive || c.prev == tokComma
	if c.parens.depth != c.verbDepth || named {
		return
	}
	switch t {
	case kwSelect, kwValues, kwTable, kwInsert, kwUpdate, kwDelete, kwMerge:
		c.command, c.following = verbs[t].command, false
	}
}

// followPrepare tells PREPARE TRANSACTION 'id' from a PREPARE of a statement,
// which may have the name transaction.
func (c *classifier) followPrepare(t token) {
	switch {
	case c.prev == kwPrepare && t == kwTransaction:
	case c.prev == kwTransaction && t == tokLiteral:
		c.command, c.following = CommandTwoPhase, false
	default:
		c.pin(ReasonPrepared)
		c.following = false
	}
}

// followDeallocate tells DEALLOCATE ALL from that of a statement with a name.
func (c *classifier) followDeallocate(t token) {
	switch {
	case c.prev == kwDeallocate && t == kwPrepare: // or a statement with that name
	case t == kwAll:
		c.class.Drops, c.following = true, false
	case t == tokSemicolon, t == tokEnd:
		c.pin(ReasonPrepared)
	default:
		c.pin(ReasonPrepared)
		c.following = false
	}
}

// followCreate finds out what CREATE creates.
func (c *classifier) followCreate(t token) {
	switch t {
	case kwOr, kwReplace, kwLocal, kwGlobal, kwUnlogged, kwUnique, kwRecursive, kwTrusted, kwProcedural,
		kwConstraint, kwDefault, kwForeign, kwEvent:
		return
	case kwTemp, kwTemporary:
		c.pin(ReasonTemporary)
		return
	case kwTable, kwIndex, kwMaterialized, kwSchema:
		c.mode = modeSchema
	case kwExtension:
		c.pin(ReasonFunction) // runs a script
		c.mode = modeNone
	case kwFunction, kwProcedure, kwAggregate, kwView, kwTrigger, kwRule, kwPolicy, kwType, kwDomain, kwOperator,
		kwCast, kwTransform, kwCollation, kwConversion, kwText, kwStatistics, kwSequence, kwLanguage, kwAccess,
		kwRole, kwUser, kwGroup, kwDatabase, kwTablespace, kwServer, kwData, kwPublication, kwSubscription:
		c.mode = modeNone
	}
	c.kind, c.following = t, false
}

// exits reports whether a failed transaction executes the statement.
func (c *classifier) exits() bool {
	switch c.verb {
	case kwCommit, kwEnd, kwRollback, kwAbort:
		return !c.explain && c.command != CommandTwoPhase
	case kwPrepare:
		return !c.explain && c.command == CommandTwoPhase
	}
	return false
}
