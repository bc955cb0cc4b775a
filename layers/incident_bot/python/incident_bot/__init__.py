"""Incident Bot takes an alert all the way: ingest, validate, enrich, classify, route, remediate, track, close."""
