"""Promise: the frameworks that store in Chroma go on working when this package takes its place.

Method: an environment for each, with our wheel and the framework from the package index, in which
the framework's own tests run as its source distribution has them, and scenarios of ours where it
has none. The network is shut while they run. What fails is asked of official Chroma too, in the
same environment: what it fails as well is no defect of ours.
"""
