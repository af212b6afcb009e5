import ProcessMonitor

ProcessInstance.main()
