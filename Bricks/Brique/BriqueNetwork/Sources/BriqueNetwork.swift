@_exported import Names
@_exported import NetFormats
@_exported import Sockets
