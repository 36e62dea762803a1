-- SPDX-License-Identifier: GPL-3.0-or-later
-- The server may execute the interface and nothing else: no table, no inner function.
REVOKE ALL ON SCHEMA tf, tfx FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA api, tfx FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO testflinger_server;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api TO testflinger_server;
