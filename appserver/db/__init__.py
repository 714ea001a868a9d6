"""The database: tables, migrations, and the store that the rules ask for."""
