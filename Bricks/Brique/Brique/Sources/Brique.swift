@_exported import Time
import Start
