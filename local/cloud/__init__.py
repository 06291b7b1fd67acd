"""The embedded cloud: a local AWS of several accounts in one process, for laptops and CI.

``python -m local.cloud`` serves it; :class:`local.cloud.client.EmbeddedCloud` starts, stops and talks to it. It is the
``ministack`` emulator with IAM enforcement on, plus bridges (one module an AWS service) for what the emulator lacks or
does otherwise than AWS. The price: the bridges reach into private names of one pinned version. Each lists those names
as :class:`local.cloud.contract.Seam`, and the server refuses to start when one has moved.

``docs/embedded-cloud.md`` lists what is bridged and which differences from AWS remain.
"""
