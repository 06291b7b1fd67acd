"""The audit ledger: what happened to each workload, in an append-only chain of entries.

An entry is made of a change of a row (``entries``), never by a step: a step cannot forget to write one. It is sealed
by a SHA-256 over its canonical JSON, in which its sequence number and the hash of the entry before it stand
(``chain``), so that whoever has all entries can tell whether one was changed, left out, added or moved
(``verification``). ``orchestrator/core/steps/append_ledger.py`` appends, on the table's stream.

The price: an entry comes a second or two after what it tells of, and the order of the chain is the order of appending;
within one release's rows it is the order of the changes, between a release and its approvals it may differ by moments.
``at`` says when the thing itself happened.
"""
