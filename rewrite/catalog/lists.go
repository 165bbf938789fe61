package catalog

import "strings"

// names is a set of names. A star in one stands for any text.
type names struct {
	exact    map[string]bool
	patterns [][2]string // what is before and after the star
}

func newNames(list string) *names {
	n := &names{exact: map[string]bool{}}
	for name := range strings.FieldsSeq(list) {
		if before, after, ok := strings.Cut(name, "*"); ok {
			n.patterns = append(n.patterns, [2]string{before, after})
		} else {
			n.exact[name] = true
		}
	}
	return n
}

func (n *names) has(name string) bool {
	if n.exact[name] {
		return true
	}
	for _, p := range n.patterns {
		if len(name) >= len(p[0])+len(p[1]) && strings.HasPrefix(name, p[0]) && strings.HasSuffix(name, p[1]) {
			return true
		}
	}
	return false
}

// refused are the built-in functions, not volatile, whose answer depends on
// something that changes without any setting: time, session, catalogs, roles,
// other processes, how rows are stored.
var refused = newNames(`
	age mxid_age now statement_timestamp transaction_timestamp
	timetz timetz_in timetz_recv timetz_izone timetz_zone timetz_at_local
	txid_* pg_current_* pg_visible_in_snapshot
	current_setting current_schema current_schemas version
	inet_client_* inet_server_* pg_backend_pid pg_my_temp_schema pg_is_other_temp_schema
	pg_listening_channels pg_cursor pg_prepared_statement pg_trigger_depth pg_event_trigger_*
	pg_conf_load_time pg_backup_start_time pg_postmaster_start_time pg_config pg_show_all_settings pg_settings_get_flags
	pg_stat_* pg_get_* pg_timezone_* pg_available_* pg_tablespace_* pg_replication_origin_oid

	*_description format_type oidvectortypes pg_typeof pg_basetype pg_collation_for pg_input_* pg_*_is_visible
	pg_column_* pg_relation_* pg_filenode_relation pg_describe_object pg_identify_object*
	pg_index_* pg_indexam_* pg_options_to_table pg_sequence_parameters pg_extension_update_paths
	pg_partition_root pg_numa_available pg_walfile_* pg_split_walfile_name querytree pg_mcv_list_* pg_ndistinct_* pg_dependencies_*
	pg_node_tree_* row_security_active ts_debug ts_token_type ts_parse gin_cleanup_pending_list amvalidate
	system_user unicode_version icu_unicode_version pg_lock_status

	has_* pg_has_role acl* hash_aclitem* makeaclitem
	to_reg* regclass* regcollation* regconfig* regdatabase* regdictionary* regnamespace* regoper* regproc* regrole* regtype*

	*_to_xml *_to_xmlschema *_to_xml_and_xmlschema fmgr_*_validator ts_stat ts_rewrite
	*sel *_typanalyze`)

// settings are the built-in functions whose answer depends on settings, the
// role and the database as well: how values are printed and read, the time
// zone, encodings, the text search configuration, labels of enums. Definitions
// in the catalogs count as such: they change with the schema.
var settings = newNames(`
	array_in array_out array_recv array_send anyarray_* anycompatible* anyenum_out anymultirange_* anyrange_*
	bpcharrecv bpcharsend brin_* cash_in cash_out cstring_recv cstring_send domain_in domain_recv
	enum_in enum_out enum_recv enum_send enum_first enum_last enum_range
	interval_in interval_out multirange_in multirange_out multirange_recv multirange_send
	namerecv namesend range_in range_out range_recv range_send record_in record_out record_recv record_send
	textrecv textsend time_in timestamp_in timestamp_out timestamptz_in timestamptz_out date_in date_out
	varcharrecv varcharsend xml_in xml_recv xml_send json_recv json_send
	float4in float4out float8in float8out byteaout byteain

	date date_part date_trunc date_add date_subtract extract generate_series in_range overlaps make_timestamptz
	date_*_timestamptz timestamp_*_timestamptz timestamptz_*_date timestamptz_*_timestamp
	timestamptz_mi_interval timestamptz_pl_interval interval_pl_timestamptz time timestamp timestamptz timezone
	to_char to_date to_timestamp to_number money numeric

	anytextcat textanycat concat concat_ws format quote_literal quote_nullable array_to_string
	convert convert_from convert_to length pg_client_encoding pg_char_to_encoding pg_encoding_to_char
	getdatabaseencoding getpgusername current_user session_user current_database

	array_to_json row_to_json to_json to_jsonb json_agg json_agg_* jsonb_agg jsonb_agg_*
	json_build_array json_build_object jsonb_build_array jsonb_build_object json_object_agg json_object_agg_*
	jsonb_object_agg jsonb_object_agg_* json_objectagg json_arrayagg
	json_populate_record json_populate_recordset json_to_record json_to_recordset
	jsonb_populate_record jsonb_populate_recordset jsonb_populate_record_valid jsonb_to_record jsonb_to_recordset
	jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz jsonb_path_query_first_tz

	get_current_ts_config json_to_tsvector jsonb_to_tsvector phraseto_tsquery plainto_tsquery websearch_to_tsquery
	to_tsquery to_tsvector ts_headline ts_match_tq ts_match_tt ts_lexize
	xml xml_is_well_formed`)

// writers are the built-in functions that change something other than tables,
// or that can.
var writers = newNames(`
	nextval setval lo_creat lo_create lo_import lo_from_bytea lo_put lowrite lo_truncate lo_truncate64 lo_unlink lo_open
	pg_logical_emit_message pg_import_system_collations pg_restore_* pg_clear_* binary_upgrade_* pg_extension_config_dump
	pg_replication_* pg_nextoid`)

// harmless are volatile functions of extensions that only compute, or look.
var harmless = newNames(`
	uuid_generate_* gen_random_uuid gen_random_bytes gen_salt uuidv7 gen_ulid generate_ulid ulid_generate
	pgp_sym_encrypt pgp_sym_encrypt_bytea pgp_pub_encrypt pgp_pub_encrypt_bytea normal_rand
	set_limit show_limit pg_stat_statements pg_stat_statements_* pg_buffercache* pgstat* pg_relpages`)

// runsText are functions, built in and of extensions, that run what they are
// given as text, though they are not volatile.
var runsText = newNames(`
	*_to_xml *_to_xmlschema *_to_xml_and_xmlschema ts_stat ts_rewrite
	crosstab* connectby xpath_table dblink*`)

// ownRow are trigger functions that change only the row they are fired for.
var ownRow = newNames(`
	suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column
	moddatetime insert_username autoinc`)

// wrappers are the extensions, all of them PostgreSQL's own, whose functions in
// SQL are as good as C: they call built-in ones by their full names.
var wrappers = map[string]bool{"citext": true, "earthdistance": true}
