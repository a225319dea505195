# SPDX-License-Identifier: Apache-2.0
"""The three pairs of proxies that kith is measured against."""

from stacks import Pair

_HAPROXY = """
global
  nbthread 1
  maxconn 4000
  tune.ssl.cachesize 0
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
"""

_HAPROXY_OUT = _HAPROXY + """
listen out
  bind {address}:{port}
  server peer {address}:{between} ssl crt {directory}/pair.pem ca-file \
{authority} verify required ssl-min-ver TLSv1.3 ciphersuites {cipher} \
no-ssl-reuse
"""

_HAPROXY_IN = _HAPROXY + """
listen in
  bind {address}:{between} ssl crt {directory}/pair.pem ca-file {authority} \
verify required ssl-min-ver TLSv1.3 ciphersuites {cipher} no-tls-tickets
  server application {address}:{server}
"""


class Haproxy(Pair):
    """haproxy 2.6 in TCP mode."""

    name = "haproxy"
    port = 7101
    between = 7102

    def start(self):
        certificate = self._facts["certificate"].read_text()
        pair = self._directory / "pair.pem"
        pair.write_text(certificate + self._facts["key"].read_text())
        for name, text, port in (("in", _HAPROXY_IN, self.between),
                                 ("out", _HAPROXY_OUT, self.port)):
            path = self.configure(f"{name}.cfg", text)
            self.run(["haproxy", "-db", "-q", "-f", path], port)


_NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
"""

_NGINX_OUT = _NGINX + """
pid {directory}/out.pid;
events {{ worker_connections 8000; }}
stream {{
  server {{
    listen {address}:{port} backlog=4096;
    proxy_pass {address}:{between};
    proxy_ssl on;
    proxy_ssl_protocols TLSv1.3;
    proxy_ssl_conf_command Ciphersuites {cipher};
    proxy_ssl_session_reuse off;
    proxy_ssl_certificate {certificate};
    proxy_ssl_certificate_key {key};
    proxy_ssl_trusted_certificate {authority};
    proxy_ssl_verify on;
    proxy_ssl_name {name};
  }}
}}
"""

_NGINX_IN = _NGINX + """
pid {directory}/in.pid;
events {{ worker_connections 8000; }}
stream {{
  server {{
    listen {address}:{between} ssl backlog=4096;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites {cipher};
    ssl_session_cache off;
    ssl_session_tickets off;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_client_certificate {authority};
    ssl_verify_client on;
    proxy_pass {address}:{server};
  }}
}}
"""


class Nginx(Pair):
    """nginx 1.22 with its stream module."""

    name = "nginx"
    port = 7201
    between = 7202

    def start(self):
        for name, text, port in (("in", _NGINX_IN, self.between),
                                 ("out", _NGINX_OUT, self.port)):
            path = self.configure(f"{name}.conf", text)
            self.run(["nginx", "-e", "stderr", "-c", path], port)


_STUNNEL = """
foreground = yes
pid =
debug = err
syslog = no
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
"""

_STUNNEL_TLS = """
cert = {certificate}
key = {key}
CAfile = {authority}
verifyChain = yes
sslVersionMin = TLSv1.3
ciphersuites = {cipher}
sessionResume = no
options = NO_TICKET
"""

_STUNNEL_OUT = _STUNNEL + """
[out]
client = yes
accept = {address}:{port}
connect = {address}:{between}
""" + _STUNNEL_TLS

_STUNNEL_IN = _STUNNEL + """
[in]
accept = {address}:{between}
connect = {address}:{server}
""" + _STUNNEL_TLS


class Stunnel(Pair):
    """stunnel 5.68: a thread per connection."""

    name = "stunnel"
    port = 7301
    between = 7302

    def start(self):
        for name, text, port in (("in", _STUNNEL_IN, self.between),
                                 ("out", _STUNNEL_OUT, self.port)):
            path = self.configure(f"{name}.conf", text)
            self.run(["stunnel4", path], port)


PAIRS = (Haproxy, Nginx, Stunnel)
