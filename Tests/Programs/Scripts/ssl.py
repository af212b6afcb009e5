import ssl
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
context = ssl.create_default_context()
connection = context.wrap_bio(incoming, outgoing, server_hostname='example.org')
try:
    connection.do_handshake()
except ssl.SSLWantReadError:
    print('hello', len(outgoing.read()) > 100, context.verify_mode)
