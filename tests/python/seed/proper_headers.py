# วิธีแก้ไข: เพิ่ม Cache-Control header เพื่อหลีกเลี่ยง caching
import requests

def call_api_with_proper_headers(message: str):
    headers = {
        "Authorization": "Bearer YOUR_HOLYSHEEP_API_KEY",
        "Content-Type": "application/json",
        "X-Canary-Version": "auto",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
        "Expires": "0"
    }
    response = requests.post(
        "https://api.holysheep.ai/v1/chat/completions",
        headers=headers,
        json={
            "model": "gpt-4",
            "messages": [{"role": "user", "content": message}]
        }
    )
    return response

# ตรวจสอบว่า response มาจาก version ไหน
response = call_api_with_proper_headers("hello")
print(f"Served by: {response.headers.get('X-Served-Version')}")
