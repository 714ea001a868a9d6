"""SIP as the application server sees it: accounts, trunks, the dial plan, numbers with PINs. Rules only, no I/O."""
