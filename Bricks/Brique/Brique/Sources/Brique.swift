@_exported import Console
@_exported import Instance
@_exported import Memory
@_exported import Scheduler
@_exported import Time
import Start

#if hasFeature(Embedded)
    @_exported import _Concurrency
#endif
