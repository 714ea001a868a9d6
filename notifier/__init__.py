"""The notification server: owns the connections to browsers and passes their signalling on to the MCU."""
