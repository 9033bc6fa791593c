"""Which host collects into a vault: claims, each after the other in a signed chain below `collectors/`.

One host at a time, as two would collect the same things twice, pay for them twice, and seal two chains. The
holder is a host's name and a signing key; the last claim is the one that counts. A store creates and never
replaces, so that of two hosts that claim at the same time one wins. See docs/format.md, "collectors/".
"""
