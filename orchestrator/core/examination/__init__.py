"""What ``mlops doctor`` looks at in an installation, and what it finds.

A check is a plain function of what the installation is set to and of a few ports (``ports.py``); it answers findings
and changes nothing. ``examine.py`` runs them all side by side, each for itself: one that fails, or is not answered in
time, is a finding too. They run in AWS (``functions/examine``), because the Slack secret is there and stays there.
"""
