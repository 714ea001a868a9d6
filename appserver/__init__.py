"""The application server: owns people and rooms, and serves the web client."""
