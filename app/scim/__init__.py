"""SCIM 2.0 (RFC 7643, RFC 7644): identity providers fill the directory, each seeing only what is its own."""
