"""The local cloud: emulated AWS behind one endpoint, with real machines as its instances.

In this package a *machine* is a container that stands for an EC2 instance, and *this computer* is
the host that runs the cloud. ``python -m local_cloud start`` brings up, on this computer only:

* moto (EC2, IAM, STS) and ministack (everything else), both on 127.0.0.1;
* a router: one endpoint for both, which answers the calls that neither serves and refuses what
  AWS refuses;
* iam-simulate, a program of others (AGPL) that the router asks what IAM allows;
* one systemd-nspawn machine per running EC2 instance, with that instance's private address;
* a caching apt proxy, and a relay that lets a machine reach it only while the emulated
  network would let it reach the Internet.

The command line needs nothing but the standard library; the daemons run in the virtual
environments that ``playbooks/local_cloud.yml`` builds.
"""
