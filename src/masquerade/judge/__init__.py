"""Judgement: what an analyst loses, what an attacker gains. Reads data; never imports generators or releases."""
