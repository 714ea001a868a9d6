"""The SIP gateway: phones, trunks and PBXs come into the rooms, browsers call out."""
