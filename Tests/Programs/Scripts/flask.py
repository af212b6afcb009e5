from flask import Flask, jsonify, request

app = Flask('app')


@app.route('/')
def index():
    return 'hello from Flask'


@app.route('/sum', methods=['POST'])
def total():
    return jsonify(sum=sum(request.get_json()))


app.run(host='0.0.0.0', port=5000, threaded=True)
