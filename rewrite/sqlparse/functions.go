package sqlparse

import (
	_ "embed"
	"strings"
)

// effect is what calling a function may do. The zero value: nothing but give
// an answer.
type effect struct {
	pin      Reason
	writes   bool // it changes something outside the session
	reads    bool // its answer depends on the state of the session
	config   bool // it is set_config
	frees    bool // it may take session state away
	advances bool // it decides what currval and lastval say
}

// harmless are the functions and types of pg_catalog that nothing is to be
// said about: a name can be a function's in any of its forms. The file is
// written by TestFunctionList -update from the catalogs of the servers it
// finds; lines are only ever added, so that it is good for old and new servers.
//
//go:embed functions.txt
var harmless string

// functions are the functions that are known, by name. All others pin.
var functions = knownFunctions()

func knownFunctions() map[string]effect {
	m := make(map[string]effect, 4096)
	for name := range strings.FieldsSeq(harmless) {
		m[name] = effect{}
	}
	for _, group := range notable {
		for name := range strings.FieldsSeq(group.names) {
			m[name] = group.effect
		}
	}
	return m
}

// KnowsFunction reports whether a call of a function with this name is taken for one
// of PostgreSQL's own, whatever its arguments.
func KnowsFunction(name string) bool {
	_, known := functions[name]
	return known
}

// notable are the functions with an effect.
var notable = []struct {
	effect effect
	names  string
}{
	// Changes a setting: for the transaction only if its third argument is true.
	{effect{config: true}, "set_config"},

	// nextval and setval decide what currval and lastval say.
	{effect{advances: true, writes: true}, "nextval setval"},
	{effect{pin: ReasonSequence, reads: true}, "currval lastval"},

	// The client will use the PID to find or end this backend.
	{effect{pin: ReasonBackendPID, reads: true}, "pg_backend_pid"},

	// Decides what random() says from now on.
	{effect{pin: ReasonSeed}, "setseed"},

	// Locks that live until they are released or the backend ends. Releasing
	// one that is not held does nothing, so that need not pin.
	{effect{pin: ReasonAdvisoryLock}, `pg_advisory_lock pg_advisory_lock_shared
		pg_try_advisory_lock pg_try_advisory_lock_shared`},
	{effect{writes: true, frees: true}, "pg_advisory_unlock pg_advisory_unlock_shared pg_advisory_unlock_all"},

	// The backend's replication origin; temporary slots; a slot stays acquired
	// while others are copied or synchronised from it; an online backup ends
	// with its backend. pg_start_backup and pg_stop_backup were before 15.
	{effect{pin: ReasonReplication, writes: true}, `pg_replication_origin_session_setup
		pg_replication_origin_session_reset pg_replication_origin_session_is_setup
		pg_replication_origin_session_progress pg_replication_origin_xact_setup pg_replication_origin_xact_reset
		pg_create_logical_replication_slot pg_create_physical_replication_slot
		pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_sync_replication_slots
		pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup`},

	// What they say of this backend is right only on the session's own; but a
	// session that is not pinned has nothing there.
	{effect{reads: true}, `pg_my_temp_schema pg_is_other_temp_schema pg_listening_channels
		pg_cursor pg_get_backend_memory_contexts pg_get_loaded_modules
		inet_client_addr inet_client_port inet_server_addr inet_server_port`},

	// Only the session's own backend has its prepared statements.
	{effect{pin: ReasonPrepared, reads: true}, "pg_prepared_statement"},

	// Large objects; a descriptor ends with the transaction.
	{effect{writes: true}, `lo_close lo_creat lo_create lo_export lo_from_bytea lo_import lo_open lo_put lo_truncate
		lo_truncate64 lo_unlink lowrite`},

	// Messages, and work for other processes.
	{effect{writes: true}, `pg_notify pg_logical_emit_message pg_cancel_backend pg_terminate_backend
		pg_log_backend_memory_contexts pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_promote
		pg_switch_wal pg_create_restore_point pg_log_standby_snapshot pg_wal_replay_pause pg_wal_replay_resume
		pg_export_snapshot`},

	// Slots and origins that belong to the server.
	{effect{writes: true}, `pg_drop_replication_slot pg_replication_slot_advance pg_logical_slot_get_changes
		pg_logical_slot_get_binary_changes pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes
		pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_advance`},

	// Statistics and upkeep of indexes.
	{effect{writes: true}, `pg_stat_reset pg_stat_reset_shared pg_stat_reset_slru pg_stat_reset_replication_slot
		pg_stat_reset_subscription_stats pg_stat_reset_backend_stats pg_stat_reset_single_table_counters
		pg_stat_reset_single_function_counters pg_restore_attribute_stats pg_restore_relation_stats
		pg_clear_attribute_stats pg_clear_relation_stats brin_desummarize_range brin_summarize_new_values
		brin_summarize_range gin_clean_pending_list`},
}
