"""The local cloud: emulated AWS behind one endpoint, with real machines as its instances.

``python -m local_cloud start`` brings up, on this machine only:

* moto (EC2, IAM, STS) and ministack (everything else), both on 127.0.0.1;
* a router that makes one endpoint of the two, answers what neither has, and refuses what
  AWS refuses;
* one systemd-nspawn machine per running EC2 instance, with the address EC2 answered;
* a caching apt proxy, and a relay that lets a machine reach it only while the emulated
  network would let it reach the Internet.

The command line needs nothing but the standard library; the daemons run in the virtual
environments that ``playbooks/local_cloud.yml`` builds.
"""
