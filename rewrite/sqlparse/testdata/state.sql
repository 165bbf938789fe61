-- Statements that leave state behind in the session: all pin. The reason
-- follows the dashes.
---- setting
SET work_mem = '64MB'
---- setting
SET work_mem TO DEFAULT
---- setting
SET SESSION search_path = a, b
---- setting
set search_path to "a", public
---- setting
SET TIME ZONE 'UTC'
---- any_setting
SELECT set_config($1, $2, false)
---- any_setting
SET "app"."X y" = 1
---- any_setting
UPDATE pg_settings SET setting = '64MB' WHERE name = 'work_mem'
---- any_setting
WITH w AS (UPDATE ONLY (pg_catalog . "pg_settings") SET setting = $1) SELECT 1
---- random_seed
SET LOCAL seed = 0.5
---- random_seed
SELECT set_config('Seed', $1, true)
---- setting
SET SESSION TIME ZONE LOCAL
---- setting
SET NAMES 'UTF8'
---- setting
SET client_encoding = 'LATIN1'
---- setting
SET SCHEMA 'a'
---- setting
SET XML OPTION DOCUMENT
---- setting
SET ROLE web
---- setting
SET SESSION ROLE web
---- setting
SET ROLE NONE
---- setting
SET SESSION AUTHORIZATION web
---- setting
SET SESSION AUTHORIZATION DEFAULT
---- setting
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
---- setting
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE
---- setting
SET app.tenant = 'x'
---- setting
SET local.tenant = 'x'
---- setting
SET transaction.x TO 1
---- setting
SET session.x = 1
---- setting
SET constraints.x = 1
---- setting
SET default_transaction_read_only = on
---- random_seed
SET seed = 0.5
---- random_seed
SELECT set_config('Seed', '0.5', false)
---- setting
BEGIN; SET work_mem = '1MB'; COMMIT
---- setting
/* c */ -- d
SET/**/work_mem='1MB'
---- setting
RESET work_mem
---- setting
RESET ALL
---- setting
RESET ROLE
---- setting
RESET TIME ZONE
---- setting
RESET SESSION AUTHORIZATION
---- discard
DISCARD ALL
---- discard
DISCARD TEMP
---- discard
DISCARD PLANS
---- discard
DISCARD SEQUENCES
---- setting
SELECT set_config('search_path', '', false)
---- setting
SELECT pg_catalog.set_config('search_path', '', false)
---- setting
SELECT set_config('a.b', 'c', $1)
---- setting
SELECT set_config('a.b', 'c', not true)
---- setting
SELECT set_config('a.b', 'c', is_local => true)
---- any_setting
SELECT set_config('a.b', set_config('c.d', 'e', false), true)
---- setting
SELECT set_config('a.b', (SELECT 'x' WHERE true, true), false)
---- setting
SELECT "set_config"('a.b', 'c', false)
---- setting
SELECT PG_CATALOG . SET_CONFIG /* x */ ('a.b', 'c', false)
---- setting
UPDATE t SET a = set_config('x.y', b, false)
---- setting
WITH x AS (SELECT set_config('x.y', 'z', false)) SELECT 1
---- setting
EXPLAIN ANALYZE SELECT set_config('x.y', 'z', false)
---- setting
COPY (SELECT set_config('x.y', 'z', false)) TO STDOUT
---- setting
INSERT INTO t VALUES (1, set_config('x.y', 'z', false))
---- setting
VALUES (set_config('x.y', 'z', false))
---- temporary
BEGIN; SET LOCAL search_path = 'pg_temp'; CREATE TABLE t (a int); COMMIT
---- temporary
SET LOCAL search_path TO pg_temp, public
---- temporary
SET LOCAL search_path = E'pg\x5ftemp'
---- temporary
SELECT set_config('search_path', 'PG_TEMP', true)
---- prepared
PREPARE p AS SELECT 1
---- prepared
PREPARE p (int, text) AS INSERT INTO t VALUES ($1, $2)
---- prepared
PREPARE transaction AS SELECT 1
---- prepared
EXECUTE p
---- prepared
EXECUTE p (1, 'x')
---- prepared
EXPLAIN EXECUTE p
---- prepared
EXPLAIN (ANALYZE) EXECUTE p (1)
---- prepared
CREATE TABLE t AS EXECUTE p (1)
---- prepared
CREATE TABLE t AS
EXECUTE p
---- prepared
DEALLOCATE p
---- prepared
DEALLOCATE x; DEALLOCATE ALL
---- prepared
DEALLOCATE PREPARE p
---- listen
LISTEN jobs
---- listen
UNLISTEN *
---- listen
listen "Jobs"
---- listen
BEGIN; LISTEN a; COMMIT
---- cursor
DECLARE c CURSOR WITH HOLD FOR SELECT 1
---- cursor
DECLARE c BINARY INSENSITIVE NO SCROLL CURSOR WITH HOLD FOR TABLE t
---- cursor
BEGIN; DECLARE c CURSOR /* x */ WITH
HOLD FOR SELECT 1; COMMIT
---- temporary
CREATE TEMP TABLE t (a int)
---- temporary
CREATE TEMPORARY TABLE IF NOT EXISTS t (a int) ON COMMIT DROP
---- temporary
CREATE LOCAL TEMP TABLE t (a int)
---- temporary
CREATE GLOBAL TEMPORARY TABLE t (a int)
---- temporary
CREATE TEMP TABLE t AS SELECT 1
---- temporary
CREATE TEMP VIEW v AS SELECT 1
---- temporary
CREATE OR REPLACE TEMP VIEW v AS SELECT 1
---- temporary
CREATE TEMP RECURSIVE VIEW v (n) AS SELECT 1
---- temporary
CREATE TEMP SEQUENCE s
---- temporary
CREATE TABLE pg_temp.t (a int)
---- temporary
CREATE TABLE "pg_temp".t (a int)
---- temporary
CREATE TABLE PG_TEMP.t AS SELECT 1
---- temporary
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'
---- temporary
CREATE TYPE pg_temp.e AS ENUM ('a')
---- temporary
CREATE VIEW pg_temp.v AS SELECT 1
---- temporary
INSERT INTO pg_temp_3.t VALUES (1)
---- temporary
SELECT 1 INTO TEMP t
---- temporary
SELECT * INTO TEMPORARY TABLE t FROM u
---- temporary
SELECT * INTO LOCAL TEMP TABLE t FROM u
---- temporary
WITH x AS (SELECT 1) SELECT * INTO TEMP t FROM x
---- temporary
EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1
---- temporary
SELECT 1into temp t
---- load
LOAD 'auto_explain'
---- do
DO $$ BEGIN PERFORM 1; END $$
---- do
DO LANGUAGE plpgsql 'BEGIN END'
---- call
CALL p(1)
---- advisory_lock
SELECT pg_advisory_lock(1)
---- advisory_lock
SELECT pg_advisory_lock(1, 2)
---- advisory_lock
SELECT pg_advisory_lock_shared(1)
---- advisory_lock
SELECT pg_try_advisory_lock(1)
---- advisory_lock
SELECT pg_try_advisory_lock_shared(1) AS t
---- advisory_lock
select "pg_advisory_lock" (1)
---- advisory_lock
SELECT * FROM pg_catalog.pg_advisory_lock(1)
---- advisory_lock
SELECT 1 WHERE EXISTS (SELECT pg_advisory_lock(1))
---- advisory_lock
SELECT DISTINCT ON (a) pg_advisory_lock(1) FROM t
---- advisory_lock
SELECT 1 OPERATOR(pg_catalog.+) length(pg_advisory_lock(1)::text)
---- advisory_lock
SELECT a.x FROM a JOIN b ON pg_try_advisory_lock(a.id)
---- advisory_lock
MERGE INTO t USING pg_advisory_lock(1) x ON true WHEN MATCHED THEN DELETE
---- advisory_lock
DELETE FROM t USING pg_advisory_lock(1) x
---- advisory_lock
SELECT 'a' LIKE 'b' ESCAPE '\', pg_advisory_lock(1)
---- advisory_lock
SELECT E'\\', pg_advisory_lock(1), E'\''
---- advisory_lock
SELECT $$'$$, pg_advisory_lock(1), '$$'
---- advisory_lock
SELECT /* /* */ ' */ pg_advisory_lock(1) -- '
---- advisory_lock
SELECT CASE WHEN true THEN pg_advisory_lock(1) END
---- advisory_lock
SELECT 1 ORDER BY 1 LIMIT length(pg_advisory_lock(1)::text)
---- advisory_lock
CREATE TABLE t AS SELECT pg_advisory_lock(1)
---- advisory_lock
CREATE MATERIALIZED VIEW v AS SELECT pg_advisory_lock(1)
---- advisory_lock
ALTER TABLE t ALTER COLUMN a TYPE text USING pg_advisory_lock(1)::text
---- advisory_lock
ALTER TABLE t ADD COLUMN a text DEFAULT pg_advisory_lock(1)::text
---- advisory_lock
WITH x AS (SELECT 1) (SELECT 2) ORDER BY 1, pg_advisory_lock(1)
---- advisory_lock
SELECT * FROM unnest(a) WITH ORDINALITY AS ordinality, pg_advisory_lock(1)
---- advisory_lock
WITH x AS (SELECT 1), data AS NOT MATERIALIZED (SELECT 2) SELECT 1, pg_advisory_lock(1)
---- advisory_lock
SELECT * FROM unnest(a) WITH ORDINALITY, pg_advisory_lock(1)
---- advisory_lock
INSERT INTO t (a) VALUES (1) RETURNING WITH (OLD AS o) pg_advisory_lock(1)
---- random_seed
SELECT setseed(0.5)
---- sequence
SELECT currval('s')
---- sequence
SELECT lastval()
---- backend_pid
SELECT pg_backend_pid()
---- replication
SELECT pg_replication_origin_session_setup('o')
---- replication
SELECT pg_create_logical_replication_slot('s', 'pgoutput', true)
---- replication
SELECT * FROM pg_create_physical_replication_slot('s', false, true)
---- replication
SELECT pg_copy_physical_replication_slot('a', 'b', true)
---- replication
SELECT pg_backup_start('x')
---- replication
SELECT pg_start_backup('x', false, false)
---- function
SELECT my_function()
---- function
SELECT public.my_function(1)
---- function
SELECT public.lower('X')
---- function
SELECT "LOWER"('X')
---- function
SELECT a.b.lower('X')
---- unparsed
SELECT U&"\006d\0079"(1)
---- function
SELECT dblink_connect('c', 'dbname=x')
---- function
SELECT query_to_xml('SELECT set_config(''a.b'', ''c'', false)', true, true, '')
---- function
SELECT * FROM ts_stat('SELECT pg_advisory_lock(1)')
---- function
SELECT ts_rewrite('a'::tsquery, 'SELECT 1')
---- function
SELECT database_to_xml(true, true, '')
---- function
SELECT 1 FROM t WHERE check_access(t.id)
---- function
SELECT 1 AS conflict, insert(1), cube(1), join(1), set(1), key(1), by(1), over(1)
---- function
CREATE EXTENSION dblink
---- function
ALTER EXTENSION dblink UPDATE
---- unknown_command
FROBNICATE t
---- unknown_command
EXPLAIN
---- unknown_command
"SELECT" 1
---- unknown_command
1
---- unparsed
SELECT 'abc
---- unparsed
SELECT "abc
---- unparsed
SELECT /* abc
---- unparsed
SELECT $x$ abc $X$
---- unparsed
SELECT E'abc\'
---- unparsed
SELECT 'a\', pg_sleep(1), 'b' -- '
---- unparsed
SELECT '\'' || lower('x') || '\''
---- unparsed
\d
