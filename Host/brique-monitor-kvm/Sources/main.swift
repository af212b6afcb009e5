import KVMMonitor

KVMInstance.main()
