/** An nginx as an operator would put in front of a GhostNode, and one that serves a page, both over TLS. */
export function nginxConfig(options: {
  /** For its own files. */
  folder: string
  certificate: string
  key: string
  /** The folder of the page. */
  page: string
  /** Host and port of the node. */
  upstream: string
  names: { node: string; app: string }
}): string {
  const { folder, certificate, key, page, upstream, names } = options
  return `
daemon off;
worker_processes 1;
user root;
pid ${folder}/pid;
error_log stderr notice;
events {}
http {
  include /etc/nginx/mime.types;
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ssl_certificate ${certificate};
  ssl_certificate_key ${key};

  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' '';
  }
  server {
    listen 443 ssl;
    server_name ${names.node};
    location / {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_read_timeout 1h;
    }
  }
  server {
    listen 443 ssl;
    server_name ${names.app};
    root ${page};
  }
}
`
}
