package sqlparse

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// unknownOnPurpose are functions of pg_catalog that stay out of functions.txt:
// they pin as any unknown function does.
const unknownOnPurpose = "" +
	// Run SQL that they are given as text, or that of a cursor.
	"query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema ts_stat ts_rewrite " +
	// Run SQL over whole tables, schemas and databases, views with functions among them.
	"table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema " +
	"schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema " +
	// Load a library or run a compiler.
	"fmgr_c_validator fmgr_internal_validator fmgr_sql_validator plpgsql_validator " +
	// For pg_upgrade and initdb: they change how the backend works from then on.
	"binary_upgrade_* pg_stop_making_pinned_objects pg_nextoid pg_import_system_collations " +
	// For the scripts of extensions.
	"pg_extension_config_dump "

// harmlessThoughVolatile are the volatile functions that have been looked at
// one by one. They give an answer and leave nothing in the backend that
// another statement could notice.
const harmlessThoughVolatile = "" +
	// The clock, chance, sleep. What random() says is state only after setseed, which pins.
	"clock_timestamp timeofday random random_normal gen_random_uuid uuidv4 uuidv7 array_sample array_shuffle " +
	"pg_sleep pg_sleep_for pg_sleep_until " +
	// Locks, snapshots, counters and messages that end with the transaction.
	"pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared " +
	"pg_stat_clear_snapshot pg_stat_get_xact_* current_query " +
	// Sends what the backend has counted so far when the transaction ends.
	"pg_stat_force_next_flush " +
	// Read large objects through descriptors of the transaction.
	"lo_get lo_lseek lo_lseek64 lo_tell lo_tell64 loread " +
	// Read tables, indexes, catalogs: volatile because they look at sizes or at newer rows.
	"amvalidate currtid2 pg_collation_actual_version pg_database_collation_actual_version pg_database_size " +
	"pg_indexes_size pg_relation_size pg_table_size pg_tablespace_size pg_total_relation_size pg_partition_ancestors " +
	"pg_partition_tree pg_sequence_last_value pg_get_sequence_data " +
	// Read what other processes do, or files.
	"pg_blocking_pids pg_safe_snapshot_blocking_pids pg_isolation_test_session_is_blocked pg_lock_status " +
	"pg_notification_queue_usage pg_prepared_xact pg_stat_have_stats pg_stat_get_recovery_prefetch " +
	"pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io pg_get_aios pg_get_wait_events " +
	"pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_jit_available pg_show_all_file_settings " +
	"pg_hba_file_rules pg_ident_file_mappings pg_current_logfile pg_ls_* pg_read_binary_file pg_read_file " +
	"pg_read_file_old pg_stat_file pg_control_* " +
	// Read the state of transactions, WAL and replication.
	"txid_status pg_xact_status pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_last_committed_xact " +
	"pg_get_multixact_members pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn " +
	"pg_get_wal_replay_pause_state pg_get_wal_resource_managers pg_get_wal_summarizer_state " +
	"pg_available_wal_summaries pg_wal_summary_contents pg_is_in_recovery pg_is_wal_replay_paused " +
	"pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp " +
	"pg_replication_origin_progress pg_show_replication_origin_status "

// names is a set of names; one may end in a star.
func names(list string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		set[name] = true
	}
	return set
}

func has(set map[string]bool, name string) bool {
	for i := range name {
		if set[name[:i]+"*"] {
			return true
		}
	}
	return set[name]
}

const (
	// callable leaves out what cannot be called from SQL.
	callable = `pronamespace = 'pg_catalog'::regnamespace AND NOT 'internal'::regtype = ANY (proargtypes::oid[])
		AND NOT prorettype = ANY ('{internal,trigger,event_trigger,language_handler,index_am_handler,table_am_handler,
			fdw_handler,tsm_handler}'::regtype[])`
	listFunctions = `SELECT DISTINCT proname FROM pg_proc WHERE ` + callable + ` UNION
		SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b','r','m') AND typelem = 0
		ORDER BY 1`
	listVolatile = `SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v' AND ` + callable + ` ORDER BY 1`
)

var update = flag.Bool("update", false, "add the server's functions to functions.txt")

// TestFunctionList compares functions.txt with the catalogs. With -update it
// adds what is missing: go test -run FunctionList -update -servers 'host=...;host=...'
func TestFunctionList(t *testing.T) {
	excluded := names(unknownOnPurpose)
	list := names(harmless)
	for _, conn := range connections(t) {
		for _, name := range query(t, conn, listFunctions) {
			if e, known := functions[name]; has(excluded, name) || known && e != (effect{}) {
				if list[name] {
					t.Errorf("%s must not be in functions.txt", name)
				}
			} else if !list[name] {
				list[name] = true
				if !*update {
					t.Errorf("functions.txt lacks %s: run with -update", name)
				}
			}
		}
	}
	if *update {
		text := strings.Join(slices.Sorted(maps.Keys(list)), "\n") + "\n"
		if err := os.WriteFile("functions.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVolatileFunctionsAreReviewed fails when a server has a volatile function
// that nobody has looked at.
func TestVolatileFunctionsAreReviewed(t *testing.T) {
	excluded, reviewed := names(unknownOnPurpose), names(harmlessThoughVolatile)
	for _, conn := range connections(t) {
		for _, name := range query(t, conn, listVolatile) {
			e, known := functions[name]
			switch n := btoi(has(excluded, name)) + btoi(has(reviewed, name)) + btoi(known && e != (effect{})); n {
			case 0:
				t.Errorf("%s is volatile: put it into one of the lists", name)
			case 1:
			default:
				t.Errorf("%s is in %d lists", name, n)
			}
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
