import http.server, socketserver, ssl, sys


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        answer = b'%d %s\n' % (len(body), self.request.version().encode())
        self.send_response(200)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


folder = sys.argv[1]
server = Server(('0.0.0.0', 8443), lambda *rest: Handler(*rest, directory=folder))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + '/certificate.pem', folder + '/key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
