require 'webrick'
server = WEBrick::HTTPServer.new(Port: 8080, AccessLog: [], Logger: WEBrick::Log.new(File::NULL))
server.mount_proc('/') { |question, answer| answer.body = "#{question.request_method} #{question.body.to_s.bytesize}\n" }
server.start
