@_exported import NetFormats
@_exported import Sockets
