"""For the people who test with confero: participants that know what they should hear, and the whole system on loopback."""
