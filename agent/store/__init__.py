"""The conversation store on SQL: SQLite embedded, PostgreSQL by URL, the same statements for both."""
